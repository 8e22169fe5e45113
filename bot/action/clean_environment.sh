# shellcheck shell=bash
# Sourced by each step of action.yml before it starts a program.
#
# The workspace, or an earlier step through GITHUB_ENV and GITHUB_PATH, must not decide what runs with the token. So only
# these variables are kept, lists of folders lose what is in the workspace, and no process that stays has a secret in
# the environment that it was started with, which every child could read in /proc.

clean_list() { # print the folders of a list that are absolute, exist, and are not in the workspace, without symlinks
  local entry real kept=
  while IFS= read -r -d : entry; do
    case $entry in "$GITHUB_WORKSPACE" | "$GITHUB_WORKSPACE"/*) continue ;; /*) ;; *) continue ;; esac
    real=$(cd -P -- "$entry" 2>/dev/null && pwd -P) || continue
    case $real in "$workspace" | "$workspace"/*) ;; *) kept+=:$real ;; esac
  done <<<"$1:"
  printf %s "${kept#:}"
}

if [ -z "${PHASEBOT_SECRETS-}" ]; then # else this is the second time, see below
  workspace=$(cd -P -- "${GITHUB_WORKSPACE:?}" 2>/dev/null && pwd -P) || workspace=$GITHUB_WORKSPACE
  kept=()
  while IFS= read -r name; do
    case $name in
      PATH | LD_LIBRARY_PATH) export "$name=$(clean_list "${!name}")" ;;
      HOME | USER | LOGNAME | SHELL | LANG | LANGUAGE | LC_* | TZ | TMPDIR | TERM | XDG_CONFIG_HOME) ;;
      PHASEBOT_SECRETS | GITHUB_TOKEN | GEMINI_API_KEY) continue ;;
      GITHUB_* | RUNNER_* | PHASEBOT_* | PYTHON) ;;
      GOOGLE_GEMINI_BASE_URL | GOOGLE_GENAI_API_VERSION) ;;
      *_proxy | *_PROXY) ;;
      SSL_CERT_FILE | SSL_CERT_DIR | CURL_CA_BUNDLE | REQUESTS_CA_BUNDLE | SSH_AUTH_SOCK) ;;
      GIT_SSL_* | GIT_PROXY_SSL_* | GIT_CONFIG* | GIT_SSH_COMMAND) ;;
      PIP_TARGET | PIP_PREFIX | PIP_CONSTRAINT) continue ;;
      PIP_*) ;; # the runner may choose the package index
      LD_*) unset "$name" && continue ;; # before the loader of env reads it
      *) continue ;;
    esac
    kept+=("$name=${!name}")
  done < <(compgen -e)
  # Start again: bash can't remove variables that are no names to it, such as act's INPUT_GITHUB-TOKEN.
  exec 3< <(printf '%s\0' "GITHUB_TOKEN=${GITHUB_TOKEN-}" "GEMINI_API_KEY=${GEMINI_API_KEY-}")
  exec /usr/bin/env -i "${kept[@]}" PHASEBOT_SECRETS=3 "$BASH" --noprofile --norc -p -e -o pipefail "$0"
fi
