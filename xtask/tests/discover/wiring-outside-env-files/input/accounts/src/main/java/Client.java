@FeignClient(name = "catalog")
interface Client {}
