package main

import "github.com/kelseyhightower/envconfig"

// Config comes from variables.
type Config struct {
	HTTPPort int `split_words:"true" default:"8090"`
	Postgres struct {
		Host     string `required:"true"`
		Port     int    `default:"5432"`
		User     string `required:"true"`
		Password string `required:"true"`
		Name     string `required:"true"`
	}
	OrdersURL string `envconfig:"orders_url" required:"true"`
	secret    string
}

func main() {
	var config Config
	envconfig.MustProcess("users", &config)
	serve(config)
}
