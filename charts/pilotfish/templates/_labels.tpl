{{- define "pilotfish.selector" -}}
app.kubernetes.io/name: pilotfish-operator
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "pilotfish.labels" -}}
{{ include "pilotfish.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: pilotfish
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end }}
