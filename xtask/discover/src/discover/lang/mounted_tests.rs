//! Where health routes stand, by framework.

use crate::discover::lang::ALL;
use crate::discover::lang::testing::what;

/// The paths of the health routes in a file.
fn paths(path: &str, text: &str) -> Vec<String> {
    let said = what(ALL, path, text);
    said.iter().filter_map(|line| line.strip_prefix("health Http ").map(str::to_owned)).collect()
}

#[test]
fn methods_stand_below_the_path_of_their_class() {
    let class = |head: &str| {
        format!(
            "package a;\nimport b;\n\n{head}\npublic class Orders {{\n  @GetMapping(\"/health\")\n  String h() {{}}\n}}\n"
        )
    };
    for (head, wanted) in [
        ("@RestController", vec!["/health"]),
        ("@RestController\n@RequestMapping(\"/api/v1/orders\")", vec!["/api/v1/orders/health"]),
        ("@RequestMapping(value = \"/orders\", produces = \"application/json\")", vec!["/orders/health"]),
        ("@RequestMapping(produces = \"application/json\", path = \"/orders\")", vec!["/orders/health"]),
        ("@RequestMapping(produces = \"application/json\")", vec!["/health"]),
        // What stands elsewhere is not made up, and the routes of a client are another's.
        ("@RequestMapping(Paths.ORDERS)", vec![]),
        ("@FeignClient(name = \"users\")", vec![]),
        ("@Controller(\"orders\")", vec!["/health"]),
    ] {
        assert_eq!(paths("a/src/main/java/Orders.java", &class(head)), wanted, "{head}");
    }
    let apart =
        "@RequestMapping(\"/a\")\nclass A {\n}\n\n@RestController\nclass B {\n  @GetMapping(\"/health\")\n";
    assert_eq!(paths("a/src/main/java/B.java", apart), ["/health"]);
    let whole =
        "@RestController\n@RequestMapping(\"/health\")\nclass Health {\n  @GetMapping\n  String h() {}\n}\n";
    assert_eq!(paths("a/src/main/java/Health.java", whole), ["/health"]);
}

#[test]
fn methods_of_nest_and_aspnet_stand_below_their_controller() {
    for (head, wanted) in [
        ("@Controller()", "/health"),
        ("@Controller('api/notices')", "/api/notices/health"),
        ("@Controller({ path: 'notices' })", "/notices/health"),
    ] {
        let text = format!("{head}\nexport class C {{\n  @Get('health')\n  h() {{}}\n}}\n");
        assert_eq!(paths("a/src/c.controller.ts", &text), [wanted], "{head}");
    }
    for (head, method, wanted) in [
        ("[ApiController]", "health", "/health"),
        ("[Route(\"api/[controller]\")]", "health", "/api/orders/health"),
        ("[Route(\"api/[controller]\")]", "/health", "/health"),
    ] {
        let text = format!(
            "{head}\npublic class OrdersController : Base\n{{\n  [HttpGet(\"{method}\")]\n  public void H() {{}}\n}}\n"
        );
        assert!(paths("a/OrdersController.cs", &text).contains(&wanted.to_owned()), "{head} {method}");
    }
    let text = "var api = app.MapGroup(\"/api\");\napi.MapGet(\"/health\", () => 1);\napp.MapGet(\"/healthz\", () => 1);\n";
    assert_eq!(paths("a/Program.cs", text), ["/api/health", "/healthz"]);
}

#[test]
fn routes_stand_below_the_prefix_of_their_router() {
    let python = |made: &str| format!("{made}\n\n@router.get(\"/health\")\ndef h(): ...\n");
    for (made, wanted) in [
        ("router = APIRouter()", vec!["/health"]),
        ("router = APIRouter(prefix=\"/reports\", tags=[\"x\"])", vec!["/reports/health"]),
        ("router = Blueprint('x', __name__, url_prefix='/api')", vec!["/api/health"]),
        ("router = APIRouter(prefix=settings.PREFIX)", vec![]),
    ] {
        assert_eq!(paths("a/app/routes.py", &python(made)), wanted, "{made}");
    }
    let express =
        "const router = express.Router();\nrouter.get('/health', h);\napp.use('/api', cors(), router);\n";
    assert_eq!(paths("a/src/server.js", express), ["/api/health"]);
}

#[test]
fn routes_of_go_stand_below_their_groups() {
    for (code, wanted) in [
        ("r := gin.Default()\nr.GET(\"/health\", h)", vec!["/health"]),
        ("v1 := r.Group(\"/v1\")\nr.GET(\"/health\", h)", vec!["/health"]),
        (
            "api := r.Group(\"/api\")\nv1 := api.Group(\"/v1\")\nv1.GET(\"/health\", h)",
            vec!["/api/v1/health"],
        ),
        ("r.Route(\"/api\", func(r chi.Router) {\n  r.Get(\"/health\", h)\n})", vec!["/api/health"]),
        (
            "r.Route(\"/api\", func(r chi.Router) {\n  r.Get(\"/a\", h)\n})\nr.Get(\"/health\", h)",
            vec!["/health"],
        ),
        ("r.Group(func(r chi.Router) {\n  r.Get(\"/health\", h)\n})", vec!["/health"]),
        ("s := r.PathPrefix(\"/shop\").Subrouter()\ns.HandleFunc(\"/health\", h)", vec!["/shop/health"]),
        ("v1 := r.Group(base)\nv1.GET(\"/health\", h)", vec![]),
    ] {
        let text = format!("package main\n\nfunc main() {{\n{code}\n}}\n");
        assert_eq!(paths("a/main.go", &text), wanted, "{code}");
    }
}

#[test]
fn routes_of_laravel_stand_below_their_groups_and_their_file() {
    let health = "Route::get('/health', fn () => 1);";
    for (path, code, wanted) in [
        ("a/routes/web.php", health.to_owned(), "/health"),
        ("a/routes/api.php", health.to_owned(), "/api/health"),
        (
            "a/routes/api.php",
            format!("Route::prefix('v1')->group(function () {{\n  {health}\n}});"),
            "/api/v1/health",
        ),
        (
            "a/routes/web.php",
            format!(
                "Route::group(['prefix' => 'shop', 'middleware' => ['x']], function () {{\n  {health}\n}});"
            ),
            "/shop/health",
        ),
        ("a/routes/web.php", format!("Route::prefix('v1')->group(function () {{ }});\n{health}"), "/health"),
    ] {
        assert_eq!(paths(path, &format!("<?php\n{code}\n")), [wanted], "{code}");
    }
}

#[test]
fn routes_of_actix_and_axum_stand_below_what_they_are_in() {
    for (code, wanted) in [
        ("App::new().route(\"/health\", web::get().to(h))", "/health"),
        (
            "cfg.service(web::scope(\"\").service(web::scope(\"/probe\").service(web::resource(\"/live\").route(web::get().to(h))).service(web::resource(\"/ready\").route(web::get().to(h)))))",
            "/probe/ready",
        ),
        (
            "App::new().service(web::scope(\"/api\").service(list)).service(web::resource(\"/ready\").route(web::get().to(h)))",
            "/ready",
        ),
        ("Router::new().nest(\"/api\", Router::new().route(\"/ready\", get(h)))", "/api/ready"),
        ("Router::new().nest(\"/api\", api).route(\"/ready\", get(h))", "/ready"),
    ] {
        let found = paths("a/src/main.rs", &format!("fn main() {{\n    {code};\n}}\n"));
        assert!(found.contains(&wanted.to_owned()), "{code}: {found:?}");
    }
}
