# shellcheck shell=bash
# Sourced by the actions of this repository, after clean_environment.sh; its argument is the folder of the repository.
#
# Installs the locked packages, and Phasebot itself, into a separate virtual environment that files in the workspace
# can't affect. Writes the step's outputs python and clean: the interpreter, and what each further step sources.

root=$1
fail() { echo "::error title=Phasebot::$1" && exit 1; }
cd /  # so that no .python-version file applies
export PIP_USER=0

home=$RUNNER_TEMP/phasebot-action
lock=$root/requirements.lock
python=$home/bin/python
if ! cmp -s "$lock" "$home/requirements.lock"; then  # else an earlier step of this job installed it
  . "$root/bot/action/find_python.sh"
  base=$(find_python pip,venv) || fail "Phasebot found no Python 3.11 or newer with pip on this runner; put a step \
with 'uses: actions/setup-python' before it."
  rm -rf "$home"
  "$base" -I -m venv --without-pip "$home"
  # Wheels only: building from source would run code that the lock doesn't cover. --no-compile saves time,
  # since most modules are never imported.
  pip_options=(--quiet --disable-pip-version-check --no-input --require-hashes --only-binary :all: --no-deps --no-compile)
  . "$root/bot/action/install_with_uv.sh"
  install_with_uv || {
    rm -rf "$home/uv"
    "$base" -I -m pip --python "$python" install "${pip_options[@]}" --requirement "$lock"
  } || fail "Installing Phasebot's locked packages failed, see above; run the job again, and if that does not \
help, check that the runner can reach the package index."
  cp "$lock" "$home"  # last, because it marks the environment as complete
fi
packages=$("$python" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
rm -rf "$packages/bot"
cp -R "$root/bot" "$packages"  # with `uses: ./`, Phasebot itself may change the workspace
echo "python=$python" >>"$GITHUB_OUTPUT"
echo "clean=$packages/bot/action/clean_environment.sh" >>"$GITHUB_OUTPUT"
