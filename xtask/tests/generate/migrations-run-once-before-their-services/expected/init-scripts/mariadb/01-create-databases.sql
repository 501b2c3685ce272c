-- One database for each service. Runs on every `up`, so each statement can be repeated.

CREATE DATABASE IF NOT EXISTS `stock` CHARACTER SET utf8mb4;
