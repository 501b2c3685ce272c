package main

import (
	"os"

	"example.org/shop/internal/orders"
	"example.org/shop/pkg/constants"
)

var brokers = os.Getenv(constants.KafkaBrokers)
