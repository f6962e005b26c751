#!/usr/bin/env bash
source ./lib.sh
LIMIT=10
export NAME=x

# Prints the area.
area() {
  local scale=$1
  helper "$scale"
}

function helper {
  echo "$1"
}
