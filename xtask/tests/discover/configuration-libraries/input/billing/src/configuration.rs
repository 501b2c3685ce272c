#[derive(serde::Deserialize)]
pub struct Settings {
    pub application: ApplicationSettings,
    pub database: DatabaseSettings,
    pub orders_url: String,
}

#[derive(serde::Deserialize)]
pub struct ApplicationSettings {
    pub port: u16,
    #[serde(default = "default_level")]
    pub level: String,
}

#[derive(serde::Deserialize)]
pub struct DatabaseSettings {
    pub username: String,
    pub password: SecretBox<String>,
    pub host: String,
    pub port: u16,
    pub database_name: String,
}

fn default_level() -> String {
    "info".to_owned()
}

pub fn read() -> Result<Settings, config::ConfigError> {
    config::Config::builder()
        .add_source(config::File::with_name("config/base"))
        .add_source(config::Environment::with_prefix("APP").prefix_separator("_").separator("__"))
        .build()?
        .try_deserialize::<Settings>()
}
