var builder = DistributedApplication.CreateBuilder(args);

var database = builder.AddPostgres("pg").WithDataVolume().AddDatabase("orders-db", "orders");
var cache = builder.AddRedis(ResourceNames.Cache);

builder.AddProject<Projects.Shop_MigrationService>(ResourceNames.Services.Migration)
    .WithReference(database)
    .WaitFor(database);

var orders = builder.AddProject<Projects.Shop_Orders>("orders-api")
    .WithReference(database)
    .WaitFor(database);

var web = builder.AddProject<Projects.Shop_Web>("web")
    .WithExternalHttpEndpoints()
    .WithReference(orders)
    .WithReference(cache)
    .WithEnvironment("Title", "The shop");

builder.AddNpmApp("spa", "../../spa")
    .WithEnvironment("API_BASE", web.GetEndpoint("http"))
    .WithHttpEndpoint(env: "PORT", targetPort: 3000);

builder.Build().Run();
