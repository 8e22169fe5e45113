# shellcheck shell=bash disable=SC2154
# Sourced by install.sh, which sets root, home, base, python and pip_options.
#
# uv asks the package index for all packages at once, pip for one after the other. It starts from nothing each time: what
# it finds in a cache it doesn't check against the hashes again, and a cache of GitHub Actions is no better, because
# the job that executes generated code could write to it, and unpacking one may write any file of the runner.

install_with_uv() { # install the lock; fail where uv can't be had, or can't do it
  (
    use_settings_of_pip && uv=$(find_uv) &&
      "$uv" --no-config --cache-dir "$home/uv/cache" pip install --quiet --python "$python" --no-python-downloads \
        --require-hashes --only-binary :all: --no-deps --requirement "$root/requirements.lock"
  ) && rm -rf "$home/uv"
}

find_uv() { # print the path of the runner's uv, else of the pinned one, which pip installs
  local candidate form='^uv 0\.([5-9]|[1-9][0-9])\.'
  candidate=$(type -P uv || true)
  if [ -n "$candidate" ] && [[ $("$candidate" --version 2>/dev/null) =~ $form ]]; then
    printf '%s\n' "$candidate"
    return
  fi
  "$base" -I -m pip --python "$python" install "${pip_options[@]}" --target "$home/uv" \
    --requirement "$root/bot/action/installer.lock" >&2 || return 1
  [ -x "$home/uv/bin/uv" ] && printf '%s\n' "$home/uv/bin/uv"
}

use_settings_of_pip() { # export where pip takes packages from, as uv reads it; fail if uv can't do the same
  local settings place line name value
  settings=$("$base" -I -m pip config list) || return 1
  export UV_INDEX_STRATEGY=unsafe-best-match # all indexes are equal to pip; the hashes say which file is taken
  for place in global install :env:; do # the last one wins
    while IFS= read -r line; do
      case $line in "$place".*=?*) ;; *) continue ;; esac
      name=${line%%=*} value=${line#*=}
      value=${value#?} value=${value%?} # quotes
      value=${value//\\n/ } value=${value# }
      case ${name#"$place".} in
        index-url) export UV_INDEX_URL=$value ;;
        extra-index-url) export UV_EXTRA_INDEX_URL=$value ;;
        find-links) export UV_FIND_LINKS=${value// /,} ;;
        no-index) export UV_NO_INDEX=$value ;;
        cert) export SSL_CERT_FILE=$value ;;
        client-cert | keyring-provider | proxy | trusted-host) [ -z "$value" ] || return 1 ;;
      esac
    done <<<"$settings"
  done
}
