FROM node:20-slim
COPY . /app
CMD node /app/api_gateway_service/index.js
HEALTHCHECK CMD wget -qO- http://127.0.0.1:${PORT:-3000}/ready
