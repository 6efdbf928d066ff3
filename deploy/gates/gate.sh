#!/bin/sh
# Asks Surety whether a release may go on, and tells it afterwards what was done. POSIX sh and curl, nothing else.
#
#   gate.sh ask                      0: go on · 1: abort · 2: wait, a person decides
#   gate.sh acted WHAT BY [REASON]   tells the ledger: WHAT is promoted, aborted or paused; BY is a person or a program
#   64: called wrongly
#
# SURETY_URL          http://127.0.0.1:8080
# SERVICE, VERSION    of the release, as its spans say them (service.name, service.version)
# ENVIRONMENT         deployment environment; empty: any
# SURETY_TOKEN        with the scope `read`, where Surety asks for one
# SURETY_DOOR_TOKEN   of the door for release events, where it asks for one; SURETY_TOKEN unless set
# GATE_WAIT_SECONDS   how long `ask` asks again while the answer is «wait»: 0 asks once
# GATE_EVERY_SECONDS  15
# GATE_SOURCE         who asks, as a URI reference: /gates/curl
#
# What is not known is never a go: when Surety cannot be reached or refuses, the answer is «wait» (2), and the reason is on
# standard error. Standard output has one line: the decision and Surety's sentence.

set -u

url=${SURETY_URL:-http://127.0.0.1:8080}
url=${url%/}
service=${SERVICE:-}
version=${VERSION:-}
environment=${ENVIRONMENT:-}
wait_seconds=${GATE_WAIT_SECONDS:-0}
every=${GATE_EVERY_SECONDS:-15}
source=${GATE_SOURCE:-/gates/curl}

usage() {
  echo "gate.sh: $1" >&2
  echo 'usage: SERVICE=transfer VERSION=2.14.0 gate.sh ask | acted promoted|aborted|paused BY [REASON]' >&2
  exit 64
}

[ -n "$service" ] || usage 'SERVICE is not set: service.name as the spans of the release say it'
[ -n "$version" ] || usage 'VERSION is not set: service.version as the spans of the release say it'
case $wait_seconds$every in *[!0-9]*) usage 'GATE_WAIT_SECONDS and GATE_EVERY_SECONDS must be whole seconds' ;; esac
[ "$every" -gt 0 ] || every=1

# A token on the command line would be seen by whoever lists processes, so headers come from standard input.
request() { # TOKEN CURL-ARGUMENTS
  token=$1
  shift
  if [ -n "$token" ]; then
    printf 'authorization: Bearer %s\n' "$token" | curl -sS --max-time 30 -H @- "$@"
  else
    curl -sS --max-time 30 "$@"
  fi
}

# The members come in this order, the decision first; text inside a JSON string has its quotes escaped.
member() { # NAME TEXT
  printf '%s\n' "$2" | sed -n "s/.*\"$1\":\"\(\([^\"\\\\]\|\\\\.\)*\)\".*/\1/p" | sed 's/\\"/"/g; s/\\\\/\\/g' | head -n 1
}

ask_once() {
  answer=$(request "${SURETY_TOKEN:-}" -G "$url/api/v1/releases/verdict" \
    --data-urlencode "service=$service" --data-urlencode "version=$version" \
    --data-urlencode "environment=$environment" -w '\n%{http_code}' 2>&1)
  failed=$?
  status=$(printf '%s\n' "$answer" | tail -n 1)
  body=$(printf '%s\n' "$answer" | sed '$d')
  if [ $failed -ne 0 ]; then
    echo "gate.sh: $url does not answer: $answer" >&2
    decision=wait sentence='Surety does not answer'
    return
  fi
  if [ "$status" != 200 ]; then
    echo "gate.sh: $url answers $status: $body" >&2
    decision=wait sentence="Surety answers $status"
    return
  fi
  case $body in
    '{"decision":"go"'*) decision=go ;;
    '{"decision":"abort"'*) decision=abort ;;
    '{"decision":"wait"'*) decision=wait ;;
    *)
      echo "gate.sh: the answer is not understood: $body" >&2
      decision=wait
      ;;
  esac
  sentence=$(member en "$body")
}

ask() {
  waited=0
  while :; do
    ask_once
    [ "$decision" = wait ] && [ "$waited" -lt "$wait_seconds" ] || break
    sleep "$every"
    waited=$((waited + every))
  done
  echo "$decision $service $version: $sentence"
  case $decision in
    go) exit 0 ;;
    abort) exit 1 ;;
    *) exit 2 ;;
  esac
}

# A text as the inside of a JSON string.
text() {
  printf '%s' "$1" | tr -d '\000-\010\013\014\016-\037' | tr '\t\r\n' '   ' | sed 's/\\/\\\\/g; s/"/\\"/g'
}

acted() { # WHAT BY REASON
  case $1 in promoted | aborted | paused) ;; *) usage "«$1» is none of promoted, aborted, paused" ;; esac
  [ -n "$2" ] || usage 'BY is not given: the person or the program that chose'
  at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  id="gate-$(date -u +%s)-$$"
  type=dev.cdeventsx.surety-gate.acted.0.1.0
  # Noted: it belongs to the release, and what it changes is told by whoever changes it.
  event=$(
    cat <<JSON
{"context":{"version":"0.4.1","id":"$id","source":"$(text "$source")","type":"$type","timestamp":"$at"},
"subject":{"id":"$(text "$service")","source":"$(text "$source")","type":"gate","content":{"action":"$1"}},
"customData":{"kind":"noted","service":"$(text "$service")","version":"$(text "$version")",
"environment":"$(text "$environment")","actor":"$(text "$2")","pipeline":"$(text "${BUILD_URL:-}")",
"description":"$1$([ -z "$3" ] || printf ': %s' "$(text "$3")")"},"customDataContentType":"application/json"}
JSON
  )
  status=$(printf '%s' "$event" >"${TMPDIR:-/tmp}/$id.json" &&
    request "${SURETY_DOOR_TOKEN:-${SURETY_TOKEN:-}}" -o /dev/null -w '%{http_code}' \
      -H 'content-type: application/json' --data-binary "@${TMPDIR:-/tmp}/$id.json" \
      "$url/api/v1/releases/events")
  failed=$?
  rm -f "${TMPDIR:-/tmp}/$id.json"
  case $failed$status in
    02*) echo "told: $service $version $1 by $2" ;;
    *)
      echo "gate.sh: $url did not take what was done (${status:-no answer})" >&2
      exit 2
      ;;
  esac
}

case ${1:-} in
  ask) ask ;;
  acted) acted "${2:-}" "${3:-}" "${4:-}" ;;
  *) usage "«${1:-}» is neither ask nor acted" ;;
esac
