package main

import "github.com/spf13/viper"

func main() {
	_ = load()
	listen(viper.GetInt("server.port"), viper.GetString("api.secret"))
}
