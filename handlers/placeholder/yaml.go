package placeholder

import (
	"encoding/json"
	"strings"

	"github.com/goccy/go-yaml"
)

// YAML is a value of a file as text. A string is quoted when it would not be read
// again as it is: the library writes "? a" and ".inf" as they stand.
func YAML(value any) ([]byte, error) {
	return yaml.MarshalWithOptions(value, yaml.CustomMarshaler[string](func(s string) ([]byte, error) {
		if readAgain(s) && readAgain([]map[string]any{{"text": s}}) {
			return yaml.Marshal(s)
		}
		return json.Marshal(s)
	}))
}

// readAgain tells whether a string, alone or as deep as names are, is read as it
// is written. Empty lines, and space around the lines, are lost deeper in a file.
func readAgain(value any) bool {
	if s, alone := value.(string); alone && strings.Contains(s, "\n") && (strings.TrimSpace(s) != s || strings.Contains(s, "\n\n")) {
		return false
	}
	text, err := yaml.Marshal(value)
	if err != nil {
		return false
	}
	var read any
	if yaml.Unmarshal(text, &read) != nil {
		return false
	}
	written, errWritten := json.Marshal(value)
	again, errAgain := json.Marshal(read)
	return errWritten == nil && errAgain == nil && string(written) == string(again)
}
