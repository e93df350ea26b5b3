# Everything the tests share: `load ../support/load`.
bats_require_minimum_version 1.5.0

_support=$(dirname "${BASH_SOURCE[0]}")
for _part in wait tls images debian docker_save registry buildkit task; do
  # shellcheck source=/dev/null
  source "$_support/$_part.bash"
done
