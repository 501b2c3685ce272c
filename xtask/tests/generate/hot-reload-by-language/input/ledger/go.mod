module example.org/ledger
