package main

import (
	"net/http"
	"os"

	"go.temporal.io/sdk/client"
)

func getenv(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

func main() {
	c, err := client.Dial(client.Options{
		HostPort:  getenv("TEMPORAL_ADDRESS", "localhost:7233"),
		Namespace: getenv("TEMPORAL_NAMESPACE", "orders"),
	})
	if err != nil {
		panic(err)
	}
	defer c.Close()
	http.HandleFunc("/health", func(w http.ResponseWriter, r *http.Request) {})
	http.ListenAndServe(":8080", nil)
}
