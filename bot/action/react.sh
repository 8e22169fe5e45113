# shellcheck shell=bash
# Sourced by action.yml after clean_environment.sh; its arguments are the folder of the repository and the
# reaction.
#
# Reacts to the comment before the installation, so that its author knows at once. It takes any Python of the runner with
# the standard library only: -S keeps out what else is installed there, -B writes nothing, and the folder of the
# repository comes last. It never fails: what is wrong, Phasebot itself says later.

root=$1
cd /  # so that no .python-version file applies
. "$root/bot/action/find_python.sh"
if python=$(find_python ssl 3<&-); then # 3 is the pipe with the secrets
  "$python" -I -S -B -c '
import sys
sys.path.append(sys.argv[1])
from bot.cli.first_reaction import run
run(sys.argv[2])
' "$root" "$2" </dev/null || echo "no reaction yet: the program for it failed"
else
  echo "no reaction yet: found no Python 3.11 or newer on this runner"
fi
