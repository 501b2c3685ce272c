package main

func main() {
	listener, _ := net.Listen("tcp", ":7000")
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, health.NewServer())
	server.Serve(listener)
}
