package main

import "example.org/shop/pkg/log"
