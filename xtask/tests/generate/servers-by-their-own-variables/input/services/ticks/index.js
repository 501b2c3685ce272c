const { Sender } = require("@questdb/nodejs-client");
const { Pool } = require("pg");
const express = require("express");

const sender = Sender.fromConfig(`http::addr=${process.env.QUESTDB_HOST}:${process.env.QUESTDB_PORT};username=${process.env.QUESTDB_USER};password=${process.env.QUESTDB_PASSWORD}`);
const pool = new Pool({
  host: process.env.QDB_PG_HOST,
  port: process.env.QDB_PG_PORT,
  user: process.env.QDB_PG_USER,
  password: process.env.QDB_PG_PASSWORD,
  database: "qdb",
});
const app = express();
app.get("/health", (req, res) => res.send("ok"));
app.listen(3000);
