target "runtime" {
  context = "images/php"
  tags    = ["shop/web-runtime:latest"]
}
