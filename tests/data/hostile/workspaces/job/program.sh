#!/bin/sh
# Stands in the workspace under the names of programs, hooks, filters and helpers, and tells when it is run.
{ echo "$0 $*"; /usr/bin/env; } >>"@NOTICED@"
