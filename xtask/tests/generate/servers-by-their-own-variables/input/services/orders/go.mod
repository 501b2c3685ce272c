module example.org/orders

go 1.24

require go.temporal.io/sdk v1.34.0
