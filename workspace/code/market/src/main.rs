//! The market service: prices by symbol over HTTP, kept in Redis.

mod prices;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use prices::Prices;
use redis::RedisError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Serialize)]
struct Price {
    symbol: String,
    price: f64,
}

#[derive(Deserialize)]
struct NewPrice {
    price: f64,
}

/// A request that is not answered as it wished.
enum Failure {
    NoPrice(String),
    Invalid(String),
    Store(RedisError),
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::NoPrice(symbol) => (StatusCode::NOT_FOUND, format!("no price for {symbol}")),
            Self::Invalid(message) => (StatusCode::UNPROCESSABLE_ENTITY, message),
            Self::Store(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("redis: {error}")),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

async fn health(State(prices): State<Prices>) -> Response {
    match prices.ping().await {
        Ok(()) => Json(json!({ "status": "ok" })).into_response(),
        Err(error) => {
            let body = json!({ "status": "unavailable", "error": format!("redis: {error}") });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

async fn list(State(prices): State<Prices>) -> Result<Json<Vec<Price>>, Failure> {
    let all = prices.all().await?;
    Ok(Json(all.into_iter().map(|(symbol, price)| Price { symbol, price }).collect()))
}

async fn show(State(prices): State<Prices>, Path(symbol): Path<String>) -> Result<Json<Price>, Failure> {
    let symbol = normalized(&symbol)?;
    match prices.get(&symbol).await? {
        Some(price) => Ok(Json(Price { symbol, price })),
        None => Err(Failure::NoPrice(symbol)),
    }
}

async fn set(
    State(prices): State<Prices>,
    Path(symbol): Path<String>,
    body: Result<Json<NewPrice>, JsonRejection>,
) -> Result<Json<Price>, Failure> {
    let symbol = normalized(&symbol)?;
    let Json(NewPrice { price }) = body.map_err(|error| Failure::Invalid(error.body_text()))?;
    if !(price.is_finite() && price > 0.0) {
        return Err(Failure::Invalid("price must be a positive number".to_owned()));
    }
    prices.set(&symbol, price).await?;
    Ok(Json(Price { symbol, price }))
}

async fn remove(State(prices): State<Prices>, Path(symbol): Path<String>) -> Result<StatusCode, Failure> {
    let symbol = normalized(&symbol)?;
    if prices.remove(&symbol).await? { Ok(StatusCode::NO_CONTENT) } else { Err(Failure::NoPrice(symbol)) }
}

/// The symbol in capitals; one to twelve letters, digits, dots and dashes.
fn normalized(symbol: &str) -> Result<String, Failure> {
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    if (1..=12).contains(&symbol.len()) && symbol.chars().all(valid) {
        Ok(symbol.to_ascii_uppercase())
    } else {
        Err(Failure::Invalid("a symbol has 1 to 12 letters, digits, dots and dashes".to_owned()))
    }
}

async fn serve() -> Result<(), String> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3002".to_owned());
    let url = std::env::var("REDIS_URL").map_err(|_| "REDIS_URL is not set")?;
    let prices = Prices::new(&url).map_err(|error| format!("REDIS_URL: {error}"))?;
    let app = Router::new()
        .route("/health", get(health))
        .route("/prices", get(list))
        .route("/prices/{symbol}", get(show).put(set).delete(remove))
        .with_state(prices);

    let address = format!("0.0.0.0:{port}");
    let listener = TcpListener::bind(&address).await.map_err(|error| format!("{address}: {error}"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| format!("SIGTERM: {error}"))?;
    println!("market: listening on port {port}");
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await
        .map_err(|error| error.to_string())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("market: {error}");
            ExitCode::FAILURE
        }
    }
}
