package main

import (
	"net"

	"google.golang.org/grpc"
)

func main() {
	listener, _ := net.Listen("tcp", ":50051")
	server := grpc.NewServer()
	server.Serve(listener)
}
