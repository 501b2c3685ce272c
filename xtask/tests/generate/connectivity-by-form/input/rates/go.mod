module example.org/rates

go 1.24

require google.golang.org/grpc v1.68.0
