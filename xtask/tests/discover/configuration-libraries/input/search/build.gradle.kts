dependencies {
  implementation("io.ktor:ktor-server-netty:3.0.0")
  implementation("org.postgresql:postgresql:42.7.4")
}
