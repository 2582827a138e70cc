{{- /* A number of a values file is a float, which would be printed with an exponent. */}}
{{- define "pilotfish.quantity" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}
