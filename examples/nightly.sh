#!/bin/sh
# Nightly from cron: take in the day's scans, tell the platform, check the history.
# Says nothing on a good night; cron mails the rest: one line for each thing to do.
set -u

scans=${1:?usage: nightly.sh SCANS.jsonl}

if ! carrierflow record-file "$scans" --verdicts "$scans.verdicts" > /dev/null; then
    echo "Some scans were rejected; $scans.verdicts says which and why."
fi

carrierflow reconcile --full --wait > /dev/null # what needs a person stands on stderr
case $? in
    0 | 3 | 75) ;; # done; work that the next run does; another run at it
    *) echo "The run failed; the reason stands above."; exit 1 ;;
esac

carrierflow audit verify > /dev/null || { echo "THE HISTORY WAS CHANGED: call the auditor."; exit 1; }
