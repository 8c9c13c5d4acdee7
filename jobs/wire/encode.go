package wire

import (
	"bytes"
	"encoding/json"
)

// encode writes v as all bodies are written: compact JSON, with <, > and & as
// themselves and no line break at the end.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// quoted is a text as JSON.
func quoted(text string) []byte {
	b, _ := encode(text) // never fails for a text
	return b
}
