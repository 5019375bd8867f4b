{{/* Names and labels, and what a service's values become with the defaults filled in. */}}

{{- define "bdc-sync.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels that select pods: (dict "root" $ "component" "gateway"). */}}
{{- define "bdc-sync.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "bdc-sync.labels" -}}
{{ include "bdc-sync.selector" . }}
app.kubernetes.io/part-of: bdc-sync
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "bdc-sync.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{- define "bdc-sync.serviceAccount" -}}
{{- default (ternary (include "bdc-sync.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "bdc-sync.secret" -}}
{{- default (include "bdc-sync.fullname" .) .Values.existingSecret -}}
{{- end -}}

{{/* The secret with the certificate of the HTTP listeners. */}}
{{- define "bdc-sync.httpSecret" -}}
{{- $shared := ternary .Values.tls.secretName "" .Values.tls.enabled -}}
{{- required "http.tls.secretName (or tls.secretName)" (default $shared .Values.http.tls.secretName) -}}
{{- end -}}

{{/* What a probe asks: (dict "root" $ "path" "/healthz"). */}}
{{- define "bdc-sync.probe" -}}
{path: {{ .path }}, port: http{{ if .root.Values.http.tls.enabled }}, scheme: HTTPS{{ end }}}
{{- end -}}

{{/* The values of service .name with the defaults filled in, as YAML. */}}
{{- define "bdc-sync.service" -}}
{{- $own := index .root.Values.services .name -}}
{{- mergeOverwrite (dict "stored" false "authenticates" false) (deepCopy .root.Values.defaults) (deepCopy $own) | toYaml -}}
{{- end -}}

{{/* Whether service .name is a StatefulSet: "yes", or nothing. */}}
{{- define "bdc-sync.stateful" -}}
{{- $service := fromYaml (include "bdc-sync.service" .) -}}
{{- if and $service.routed $service.autoscaling.enabled -}}
{{- fail (printf "services.%s is routed: callers know each replica, so autoscaling must be off" .name) -}}
{{- end -}}
{{- if or $service.routed $service.persistence.enabled -}}yes{{- end -}}
{{- end -}}

{{/* Where others call service .name, as {addresses: [...]}: each replica if it is routed. */}}
{{- define "bdc-sync.addresses" -}}
{{- $service := fromYaml (include "bdc-sync.service" .) -}}
{{- $fullname := printf "%s-%s" (include "bdc-sync.fullname" .root) .name -}}
{{- $end := printf "%s.svc:%d" .root.Release.Namespace (int $service.ports.grpc) -}}
addresses:
{{- if $service.routed }}
{{- range $at := until (int $service.replicas) }}
  - {{ printf "%s-%d.%s-headless.%s" $fullname $at $fullname $end }}
{{- end }}
{{- else }}
  - {{ printf "%s.%s" $fullname $end }}
{{- end }}
{{- end -}}

{{/* The configuration file of service .name: what the chart knows < config < services.<name>.config. */}}
{{- define "bdc-sync.config" -}}
{{- $root := .root -}}
{{- $service := fromYaml (include "bdc-sync.service" .) -}}
{{- $known := dict "listen_address" "0.0.0.0" "data_dir" "/var/lib/bdc-sync" -}}
{{- $_ := set $known "grpc" (dict "port" (int $service.ports.grpc)) -}}
{{- $_ := set $known "http" (dict "port" (int $service.ports.http)) -}}
{{- if $service.ports.ws -}}
{{- $_ := set $known "websocket" (dict "port" (int $service.ports.ws)) -}}
{{- end -}}
{{- $addresses := dict -}}
{{- range $service.calls -}}
{{- $list := fromYaml (include "bdc-sync.addresses" (dict "root" $root "name" .)) -}}
{{- $_ := set $addresses (replace "-" "_" .) $list.addresses -}}
{{- end -}}
{{- if $root.Values.tls.enabled -}}
{{- $files := dict "cert_file" "/etc/bdc-sync/tls/tls.crt" "key_file" "/etc/bdc-sync/tls/tls.key" -}}
{{- $ca := "/etc/bdc-sync/tls/ca.crt" -}}
{{- $_ := set $addresses "tls" (merge (dict "ca_file" $ca) $files) -}}
{{- if $service.ports.ws -}}
{{- $_ := set $known.websocket "tls" $files -}}
{{- $_ := set $known.grpc "tls" $files -}}
{{- else -}}
{{- $_ := set $known.grpc "tls" (merge (dict "client_ca_file" $ca) $files) -}}
{{- end -}}
{{- end -}}
{{- if $root.Values.http.tls.enabled -}}
{{- $_ := set $known.http "tls" (dict "cert_file" "/etc/bdc-sync/http-tls/tls.crt" "key_file" "/etc/bdc-sync/http-tls/tls.key") -}}
{{- end -}}
{{- if $addresses -}}
{{- $_ := set $known "services" $addresses -}}
{{- end -}}
{{- mergeOverwrite $known (deepCopy $root.Values.config) (deepCopy $service.config) | toYaml -}}
{{- end -}}
