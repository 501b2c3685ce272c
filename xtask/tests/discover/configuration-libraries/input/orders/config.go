package main

import (
	"strings"

	"github.com/spf13/viper"
)

func load() error {
	viper.SetConfigName("config")
	viper.AddConfigPath("/etc/orders")
	viper.SetEnvPrefix("orders")
	viper.SetEnvKeyReplacer(strings.NewReplacer(".", "_"))
	viper.AutomaticEnv()
	viper.SetDefault("log.format", "json")
	return viper.ReadInConfig()
}
