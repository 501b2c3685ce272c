from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Cache(BaseModel):
    url: str
    ttl: int = 60


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="NOTES_",
        env_nested_delimiter="__",
    )

    cache: Cache
    sender: str = Field(
        default="shop@example.com",
        validation_alias="SENDER",
    )
    users_url: str
    signing_secret: SecretStr
    level: str = "info"
