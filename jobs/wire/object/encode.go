package object

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Encode writes v as all bodies are written: compact JSON, with <, > and & as
// themselves and no line break at the end.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Quote is a text as JSON.
func Quote(text string) []byte {
	b, _ := Encode(text) // never fails for a text
	return b
}

// Compact is JSON without the spaces between its parts.
func Compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return slices.Clone(raw) // cannot happen: raw was parsed before
	}
	return b.Bytes()
}
