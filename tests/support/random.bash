# seed_random: what $RANDOM gives from here on is what it gave for SEED, or something new; a failed test shows which.
seed_random() {
  local seed=${SEED:-$RANDOM}
  echo "seed $seed"
  RANDOM=$seed
}
