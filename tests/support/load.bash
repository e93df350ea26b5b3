# Everything the tests share: `load ../support/load`.
bats_require_minimum_version 1.5.0

# With --filter-tags bats 1.8 leaves its own separator in here.
IFS=$' \t\n'

for _part in "$(dirname "${BASH_SOURCE[0]}")"/*.bash; do
  # shellcheck source=/dev/null
  [[ $_part == */load.bash ]] || source "$_part"
done
