//! The prices in Redis: one hash from symbol to price. Knows nothing of HTTP.

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client, RedisResult};
use std::collections::BTreeMap;
use std::time::Duration;

const KEY: &str = "prices";

/// A connection that is made when first used and again when it is lost.
#[derive(Clone)]
pub struct Prices(ConnectionManager);

impl Prices {
    /// Fails only for a `url` that is none.
    pub fn new(url: &str) -> RedisResult<Self> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(1)))
            .set_response_timeout(Some(Duration::from_secs(1)))
            .set_number_of_retries(1);
        let manager = ConnectionManager::new_lazy_with_config(Client::open(url)?, config)?;
        Ok(Self(manager))
    }

    pub async fn ping(&self) -> RedisResult<()> {
        self.0.clone().ping().await
    }

    /// All prices, by symbol.
    pub async fn all(&self) -> RedisResult<BTreeMap<String, f64>> {
        self.0.clone().hgetall(KEY).await
    }

    pub async fn get(&self, symbol: &str) -> RedisResult<Option<f64>> {
        self.0.clone().hget(KEY, symbol).await
    }

    pub async fn set(&self, symbol: &str, price: f64) -> RedisResult<()> {
        self.0.clone().hset(KEY, symbol, price).await
    }

    /// Whether there was a price to remove.
    pub async fn remove(&self, symbol: &str) -> RedisResult<bool> {
        self.0.clone().hdel(KEY, symbol).await
    }
}
