#!/bin/sh
# Nightly from cron: take in the day's scans, tell the platform, check the history.
# Prints only what somebody should read; cron mails it.
set -u

scans=${1:?usage: nightly.sh SCANS.jsonl}

if ! carrierflow record-file "$scans" --verdicts "$scans.verdicts"; then
    echo "Some scans were rejected; $scans.verdicts says which and why."
fi

carrierflow reconcile --full --wait
case $? in
    0) echo "Every shop shows what the ledger says." ;;
    3) echo "Work is left, or a person is needed:"; carrierflow incidents list ;;
    75) echo "Another run holds the shop; it does the work." ;;
    *) echo "The run failed; the reason stands above."; exit 1 ;;
esac

carrierflow audit verify || { echo "THE HISTORY WAS CHANGED: call the auditor."; exit 1; }
