const amqp = require('amqplib');
amqp.connect('amqp://worker:secret@rabbit:5672/old');
