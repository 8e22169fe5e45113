# shellcheck shell=bash
# Sourced before Phasebot is installed.

find_python() { # print the first Python on this runner that is new enough and has the modules in $1
  local candidate
  while IFS= read -r candidate; do
    if "$candidate" -I -c "import $1, sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done < <(
    type -aP python3.14 python3.13 python3.12 python3.11 python3 || true
    printf '%s\n' "${RUNNER_TOOL_CACHE:-}"/Python/3.1[1-9]*/*/bin/python
  )
  return 1
}
