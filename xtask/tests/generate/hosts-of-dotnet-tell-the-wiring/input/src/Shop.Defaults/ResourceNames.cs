namespace Shop.Defaults;

public static class ResourceNames
{
    public static class Services
    {
        public const string Migration = "migration-service";
    }

    public const string Cache = "cache";
}
