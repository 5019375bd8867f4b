"""The Helm chart, rendered by helm itself with each file of helm/bdc-sync/ci and without any."""
import functools
import os
import subprocess

import pytest
import yaml
from program import ROOT, SERVICES, check_config

CHART = ROOT / "helm/bdc-sync"
HELM = ROOT / "build/tools/helm"
MANIFESTS = ROOT / "build/tools/manifests"
VARIANTS = ["default", *sorted(path.name for path in (CHART / "ci").glob("*-values.yaml"))]

if not (HELM.exists() and MANIFESTS.exists()):
    if os.environ.get("BDC_SYNC_REQUIRE_SERVERS"):
        pytest.fail("no helm in build/tools: ./dev test builds it", pytrace=False)
    pytest.skip("no helm in build/tools: ./dev test builds it", allow_module_level=True)


def helm(*arguments):
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False)


def variant_flags(variant):
    return [] if variant == "default" else ["--values", str(CHART / "ci" / variant)]


@functools.lru_cache(maxsize=None)
def manifests(variant, *flags):
    result = helm("template", "sync", str(CHART), "--namespace", "apps", "--kube-version", "1.29",
                  *variant_flags(variant), *flags)
    assert result.returncode == 0, result.stderr
    return result.stdout


@functools.lru_cache(maxsize=None)
def rendered(variant, *flags):
    """kind → name → object."""
    objects = {}
    for made in yaml.safe_load_all(manifests(variant, *flags)):
        if made:
            names = objects.setdefault(made["kind"], {})
            assert made["metadata"]["name"] not in names, "two objects of one kind and name"
            names[made["metadata"]["name"]] = made
    return objects


def workloads(objects):
    """Component → Deployment or StatefulSet."""
    made = [*objects.get("Deployment", {}).values(), *objects.get("StatefulSet", {}).values()]
    return {each["metadata"]["labels"]["app.kubernetes.io/component"]: each for each in made}


def pod(workload):
    return workload["spec"]["template"]["spec"]


def prefix(objects):
    return next(name for name, made in objects["ConfigMap"].items()
                if made["metadata"]["labels"]["app.kubernetes.io/component"] == "config")


def labels_of(workload):
    return workload["spec"]["template"]["metadata"]["labels"].items()


each_variant = pytest.mark.parametrize("variant", VARIANTS)
each_service = pytest.mark.parametrize("service", SERVICES)


@each_variant
def test_lint_finds_nothing(variant):
    result = helm("lint", "--strict", str(CHART), *variant_flags(variant))
    assert result.returncode == 0, result.stdout + result.stderr
    assert "[WARNING]" not in result.stdout and "[ERROR]" not in result.stdout


@each_variant
def test_kubernetes_own_types_know_every_field(variant):
    result = subprocess.run([MANIFESTS], input=manifests(variant), capture_output=True, text=True,
                            check=False)
    assert result.returncode == 0, result.stdout


def test_a_misspelt_field_is_noticed():
    wrong = manifests("default").replace("failureThreshold", "failureTreshold")
    result = subprocess.run([MANIFESTS], input=wrong, capture_output=True, text=True, check=False)
    assert result.returncode == 1 and 'unknown field "spec' in result.stdout


@each_variant
def test_each_service_has_pods_a_service_and_a_configuration(variant):
    objects = rendered(variant)
    for service in SERVICES:
        assert service in workloads(objects)
        assert f"{prefix(objects)}-{service}" in objects["Service"]
        assert f"{service}.yaml" in objects["ConfigMap"][prefix(objects)]["data"]


@each_variant
def test_selectors_and_ports_meet(variant):
    objects = rendered(variant)
    pods = workloads(objects)
    for workload in pods.values():
        assert workload["spec"]["selector"]["matchLabels"].items() <= labels_of(workload)
    for name, service in objects["Service"].items():
        chosen = [w for w in pods.values() if service["spec"]["selector"].items() <= labels_of(w)]
        assert len(chosen) == 1, name
        open_ports = {p["name"] for c in pod(chosen[0])["containers"] for p in c["ports"]}
        assert {p["targetPort"] for p in service["spec"]["ports"]} <= open_ports
    for workload in objects["StatefulSet"].values():
        assert workload["spec"]["serviceName"] in objects["Service"]


@each_variant
def test_pods_refer_only_to_what_exists_or_is_named_by_the_operator(variant):
    objects = rendered(variant)
    known = {("secret", name) for name in objects.get("Secret", {})}
    known |= {("secret", "sync-secrets"), ("secret", "sync-certificates"), ("secret", "sync-http"),
              ("configMap", prefix(objects))}
    for workload in workloads(objects).values():
        spec = pod(workload)
        volumes = {v["name"]: v for v in spec.get("volumes", [])}
        claims = {c["metadata"]["name"] for c in workload["spec"].get("volumeClaimTemplates", [])}
        assert not claims & set(volumes)
        for volume in volumes.values():
            if "configMap" in volume:
                assert ("configMap", volume["configMap"]["name"]) in known
            if "secret" in volume:
                assert ("secret", volume["secret"]["secretName"]) in known
        for container in spec["containers"]:
            mounts = [m["name"] for m in container.get("volumeMounts", [])]
            assert set(mounts) <= set(volumes) | claims
            for variable in container.get("env", []):
                reference = variable.get("valueFrom", {}).get("secretKeyRef")
                if reference:
                    assert ("secret", reference["name"]) in known
                    made = objects.get("Secret", {}).get(reference["name"])
                    assert made is None or reference["key"] in made["stringData"]


@each_variant
def test_services_are_probed_on_their_http_port(variant):
    objects = rendered(variant)
    for service, workload in workloads(objects).items():
        if service not in SERVICES:
            continue
        config = yaml.safe_load(objects["ConfigMap"][prefix(objects)]["data"][f"{service}.yaml"])
        how = {"port": "http", **({"scheme": "HTTPS"} if "tls" in config["http"] else {})}
        container = pod(workload)["containers"][0]
        assert container["command"] == [f"bdc-sync-{service}"]
        paths = {probe: container[probe]["httpGet"] for probe in
                 ("startupProbe", "livenessProbe", "readinessProbe")}
        assert paths == {"startupProbe": {"path": "/healthz", **how},
                         "livenessProbe": {"path": "/healthz", **how},
                         "readinessProbe": {"path": "/readyz", **how}}


@each_variant
def test_pods_have_no_privileges_and_no_stray_variables(variant):
    for service, workload in workloads(rendered(variant)).items():
        spec = pod(workload)
        assert spec["automountServiceAccountToken"] is False
        if service in SERVICES:
            assert spec["securityContext"]["runAsNonRoot"]
            assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"]
            # Else a Service called bdc-sync-… becomes a BDC_SYNC_… variable, which is refused.
            assert spec["enableServiceLinks"] is False


@each_variant
def test_every_pod_may_run_where_the_pod_security_standard_restricted_holds(variant):
    objects = rendered(variant)
    pods = [pod(workload) for workload in workloads(objects).values()]
    for spec in [*pods, *(each["spec"] for each in objects["Pod"].values())]:
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
        assert all({"configMap", "secret", "emptyDir"} & volume.keys()
                   for volume in spec.get("volumes", []))
        for container in spec["containers"]:
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["capabilities"] == {"drop": ["ALL"]}


def test_the_database_is_ready_only_once_others_reach_it():
    probe = pod(workloads(rendered("default"))["postgresql"])["containers"][0]["readinessProbe"]
    assert probe["exec"]["command"][:3] == ["pg_isready", "-h", "127.0.0.1"]


@each_variant
def test_autoscalers_and_budgets_point_at_pods_that_do_not_fix_their_number(variant):
    objects = rendered(variant)
    pods = workloads(objects)
    for name, scaler in objects.get("HorizontalPodAutoscaler", {}).items():
        target = scaler["spec"]["scaleTargetRef"]
        workload = objects[target["kind"]][target["name"]]
        assert name == target["name"] and "replicas" not in workload["spec"]
        assert scaler["spec"]["minReplicas"] <= scaler["spec"]["maxReplicas"]
    for name, workload in ((w["metadata"]["name"], w) for w in pods.values()):
        if name not in objects.get("HorizontalPodAutoscaler", {}):
            assert workload["spec"]["replicas"] >= 1
    for budget in objects.get("PodDisruptionBudget", {}).values():
        chosen = budget["spec"]["selector"]["matchLabels"].items()
        assert any(chosen <= labels_of(workload) for workload in pods.values())


@each_variant
def test_callers_know_every_replica_of_a_routed_service(variant):
    objects = rendered(variant)
    data = objects["ConfigMap"][prefix(objects)]["data"]
    for caller in SERVICES:
        for other, addresses in yaml.safe_load(data[f"{caller}.yaml"]).get("services", {}).items():
            if other == "tls":
                continue
            callee = workloads(objects)[other.replace("_", "-")]
            name = callee["metadata"]["name"]
            port = {p["name"]: p["containerPort"]
                    for p in pod(callee)["containers"][0]["ports"]}["grpc"]
            expected = [f"{name}.apps.svc:{port}"]
            if callee["kind"] == "StatefulSet":
                expected = [f"{name}-{at}.{name}-headless.apps.svc:{port}"
                            for at in range(callee["spec"]["replicas"])]
                assert callee["spec"]["serviceName"] == f"{name}-headless"
            assert addresses == expected


@each_variant
def test_the_network_lets_in_exactly_the_callers(variant):
    objects = rendered(variant)
    data = objects["ConfigMap"][prefix(objects)]["data"]
    calls = {caller: set(yaml.safe_load(data[f"{caller}.yaml"]).get("services", {})) - {"tls"}
             for caller in SERVICES}
    for policy in objects.get("NetworkPolicy", {}).values():
        component = policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for rule in policy["spec"]["ingress"]:
            if component == "gateway" or {"port": "grpc", "protocol": "TCP"} not in rule["ports"]:
                continue
            let_in = {peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
                      for peer in rule["from"]}
            assert let_in == {c for c in SERVICES if component.replace("-", "_") in calls[c]}


@each_variant
def test_the_charts_own_servers_let_in_the_services_that_use_them_and_nobody_else(variant):
    objects = rendered(variant)
    pods = workloads(objects)
    for server, port, variable in (("postgresql", "postgres", "BDC_SYNC_STORAGE_URL"),
                                   ("redis", "redis", "BDC_SYNC_BUS_URL")):
        if server not in pods:
            continue
        policy = objects["NetworkPolicy"][f"{prefix(objects)}-{server}"]["spec"]
        assert policy["podSelector"]["matchLabels"].items() <= labels_of(pods[server])
        (rule,) = policy["ingress"]
        assert rule["ports"] == [{"port": port, "protocol": "TCP"}]
        let_in = {peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
                  for peer in rule["from"]}
        assert let_in == {service for service in SERVICES if variable in
                          {each["name"] for each in pod(pods[service])["containers"][0]["env"]}}


@each_variant
@each_service
def test_the_program_accepts_its_configuration(variant, service, tmp_path):
    objects = rendered(variant)
    container = pod(workloads(objects)[service])["containers"][0]
    values = {"jwt-secret": "x" * 32, "postgres-url": "postgresql://u:p@host:5432/db",
              "redis-url": "redis://host:6379"}
    environment = {each["name"]: values[each["valueFrom"]["secretKeyRef"]["key"]]
                   for each in container["env"]}
    assert container["args"] == [f"--config=/etc/bdc-sync/config/{service}.yaml"]
    config = objects["ConfigMap"][prefix(objects)]["data"][f"{service}.yaml"]
    check_config(service, environment, config, tmp_path)


def test_only_the_gateway_knows_the_secret_of_tokens():
    for service, workload in workloads(rendered("default")).items():
        names = {v["name"] for v in pod(workload)["containers"][0].get("env", [])}
        assert ("BDC_SYNC_JWT_SECRET" in names) == (service == "gateway")
        assert ("BDC_SYNC_STORAGE_URL" in names) == (
            service in ("event-store", "conflict", "device-sync"))


def test_the_spool_of_the_gateway_outlives_its_pod():
    gateway = workloads(rendered("default"))["gateway"]
    assert gateway["kind"] == "StatefulSet"
    assert gateway["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "data"


def test_external_servers_leave_none_in_the_chart():
    objects = rendered("external-values.yaml")
    assert set(workloads(objects)) == set(SERVICES)
    secret = objects["Secret"]["sync-bdc-sync"]["stringData"]
    assert secret["redis-url"] == "redis://cache.example.org:6379"
    assert "HorizontalPodAutoscaler" not in objects and "PodDisruptionBudget" not in objects


def test_tls_reaches_every_listener_and_every_call():
    objects = rendered("tls-values.yaml")
    for service in SERVICES:
        config = yaml.safe_load(objects["ConfigMap"]["sync-bdc-sync"]["data"][f"{service}.yaml"])
        assert config["grpc"]["tls"]["cert_file"] == config["services"]["tls"]["cert_file"]
        assert ("client_ca_file" in config["grpc"]["tls"]) == (service != "gateway")
        assert ("websocket" in config) == (service == "gateway")
        mounts = pod(workloads(objects)[service])["containers"][0]["volumeMounts"]
        assert {"name": "tls", "mountPath": "/etc/bdc-sync/tls", "readOnly": True} in mounts
    assert "Secret" not in objects, "existingSecret is used"
    monitor = objects["ServiceMonitor"]["sync-bdc-sync"]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    backend = objects["Ingress"]["sync-bdc-sync"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend["service"] == {"name": "sync-bdc-sync-gateway", "port": {"name": "ws"}}


@pytest.mark.parametrize("variant, secret", [("http-tls-values.yaml", "sync-http"),
                                             ("tls-values.yaml", "sync-certificates")])
def test_tls_for_probes_and_metrics(variant, secret):
    objects = rendered(variant)
    for service in SERVICES:
        config = yaml.safe_load(objects["ConfigMap"]["sync-bdc-sync"]["data"][f"{service}.yaml"])
        assert config["http"]["tls"] == {"cert_file": "/etc/bdc-sync/http-tls/tls.crt",
                                         "key_file": "/etc/bdc-sync/http-tls/tls.key"}
        spec = pod(workloads(objects)[service])
        assert {"name": "http-tls", "secret": {"secretName": secret}} in spec["volumes"]
        assert {"name": "http-tls", "mountPath": "/etc/bdc-sync/http-tls",
                "readOnly": True} in spec["containers"][0]["volumeMounts"]
    endpoint = objects["ServiceMonitor"]["sync-bdc-sync"]["spec"]["endpoints"][0]
    assert endpoint["scheme"] == "https" and endpoint["tlsConfig"]
    assert objects["Pod"]["sync-bdc-sync-test"]["spec"]["containers"][0]["args"][-1] == "tls"


def test_without_tls_for_probes_nothing_asks_by_https():
    for variant in ("default", "large-values.yaml", "external-values.yaml"):
        assert "HTTPS" not in manifests(variant) and "http-tls" not in manifests(variant)


def test_what_watches_the_services_is_off_unless_asked_for():
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert kind not in rendered("default")
    assert list(rendered("default")["ConfigMap"]) == ["sync-bdc-sync"]


def test_the_alerts_are_those_of_the_plain_file_with_links_to_their_sections():
    made = rendered("tls-values.yaml")["PrometheusRule"]["sync-bdc-sync"]
    assert made["metadata"]["labels"]["release"] == "prometheus"
    plain = yaml.safe_load((CHART / "rules/bdc-sync.rules.yaml").read_text(encoding="utf-8"))
    page = "https://wiki.example.org/bdc-sync/alerts"
    for group in plain["groups"]:
        for rule in group["rules"]:
            path, section = rule["annotations"].pop("runbook").split("#")
            assert path == "docs/alerts.md"
            rule["annotations"]["runbook_url"] = f"{page}#{section}"
    assert made["spec"] == plain
    without = rendered("default", "--set", "prometheusRule.enabled=true")["PrometheusRule"]
    rule = without["sync-bdc-sync"]["spec"]["groups"][0]["rules"][0]
    assert rule["annotations"]["runbook"].startswith("docs/alerts.md#")


def test_the_dashboard_is_found_by_the_sidecar_of_grafana():
    made = rendered("tls-values.yaml")["ConfigMap"]["sync-bdc-sync-dashboard"]
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert made["metadata"]["annotations"] == {"grafana_folder": "Sync"}
    plain = (CHART / "dashboards/bdc-sync.json").read_text(encoding="utf-8")
    assert made["data"] == {"bdc-sync.json": plain.rstrip("\n")}


def test_a_change_of_configuration_replaces_the_pods_that_it_reaches():
    before, after = rendered("default"), rendered(
        "default", "--set", "services.gateway.config.websocket.heartbeat_interval=5s")
    for service in SERVICES:
        sums = [workloads(objects)[service]["spec"]["template"]["metadata"]["annotations"][
            "checksum/config"] for objects in (before, after)]
        assert (sums[0] != sums[1]) == (service == "gateway")


@pytest.mark.parametrize("setting, complaint", [
    ("no.such=1", "Additional property no is not allowed"),
    ("services.gateway.replica=3", "Additional property replica is not allowed"),
    ("services.gateway.ports.ws=70000", "Must be less than or equal to 65535"),
    ("services.gateway.calls={billing}", "must be one of"),
    ("jwtSecret=short", "jwtSecret"),
    ("tls.enabled=true", "secretName"),
    ("http.tls.enabled=true", "http.tls.secretName"),
    ("http.tls.enabled=true,http.tls.secretName=s,serviceMonitor.enabled=true", "tlsConfig"),
    ("http.tls.certificate=x", "Additional property certificate is not allowed"),
    ("ingress.enabled=true", "hosts"),
    ("prometheusRule.interval=1m", "Additional property interval is not allowed"),
    ("prometheusRule.runbookUrl=docs", "runbookUrl"),
    ("dashboard.labels.grafana_dashboard=1", "Invalid type"),
    ("postgresql.bundled=false", "postgresql.url"),
    ("redis.url=memcached://x", "redis.url"),
    ("services.version.autoscaling.enabled=true", "autoscaling must be off"),
])
def test_a_wrong_value_is_refused_with_its_reason(setting, complaint):
    result = helm("template", "sync", str(CHART), "--kube-version", "1.29", "--set", setting)
    assert result.returncode != 0 and complaint in result.stderr, result.stderr
