module ledger
