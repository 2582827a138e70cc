{{- /* A number of a values file is a float, which would be printed with an exponent. */}}
{{- define "pilotfish.quantity" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{- /* A quantity as a number, to be compared. */}}
{{- define "pilotfish.units" -}}
{{- $text := include "pilotfish.quantity" . }}
{{- $factors := dict "m" 0.001 "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 }}
{{- mulf (regexFind "^[0-9.]+" $text) (get $factors (regexFind "[A-Za-z]*$" $text)) }}
{{- end }}

{{- /* What the operator would refuse when it starts is refused before anything is installed. */}}
{{- define "pilotfish.possible" -}}
{{- $requests := .requests | default dict }}
{{- $limits := .limits | default dict }}
{{- with $limits.memory }}
{{- if lt (include "pilotfish.units" . | float64) (include "pilotfish.units" "16Mi" | float64) }}
{{- fail (printf "sidecar.resources.limits.memory is %s, and a sidecar needs 16Mi at least" (include "pilotfish.quantity" .)) }}
{{- end }}
{{- end }}
{{- range $resource := list "cpu" "memory" }}
{{- $request := get $requests $resource }}
{{- $limit := get $limits $resource }}
{{- if and $request $limit (gt (include "pilotfish.units" $request | float64) (include "pilotfish.units" $limit | float64)) }}
{{- fail (printf "sidecar.resources: the %s request %s is above the limit %s" $resource (include "pilotfish.quantity" $request) (include "pilotfish.quantity" $limit)) }}
{{- end }}
{{- end }}
{{- end }}
