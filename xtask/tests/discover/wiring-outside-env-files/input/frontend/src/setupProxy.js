module.exports = (app) => {
  app.use('/api', createProxyMiddleware({ target: 'http://catalog:8080' }));
};
