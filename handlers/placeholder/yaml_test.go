package placeholder_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/sitehooks/sitehooks/handlers/placeholder"
)

// TestYAMLIsReadAsItWasWritten: any name and description comes back, whatever it
// means in YAML.
func TestYAMLIsReadAsItWasWritten(t *testing.T) {
	texts := []string{"? a", ".inf", "-.inf", ".nan", "+.Inf", " ", "\n", "\n a\n  b\n", "a\nb\n", "a\n\n", "null", "~", "yes", "1e3", "0x1f", "- a", "a: b", "a #b", "#", "%", "!!str x", "&a", "*a", "'", `"`, `\`, "|", ">", "${A}", "---", "...", "\u2028", "é", "😀", "<<", "2026-12-01", "a\tb", "{a}", "[a]", "\r\n"}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	pieces := []rune("?-:#.!&*|>%@`'\"\\{}[],~+=<$ \n\ta0éx\u2028")
	for range 5000 {
		text := make([]rune, random.IntN(8))
		for i := range text {
			text[i] = pieces[random.IntN(len(pieces))]
		}
		texts = append(texts, string(text))
	}
	for _, text := range texts {
		out, err := placeholder.YAML(yaml.MapSlice{{Key: "webhooks", Value: []yaml.MapSlice{{{Key: "name", Value: text}, {Key: "tags", Value: []any{text}}, {Key: "type", Value: "slack"}}}}})
		var read struct {
			Webhooks []struct {
				Name, Type string
				Tags       []any
			}
		}
		if err == nil {
			err = yaml.Unmarshal(out, &read)
		}
		if w := read.Webhooks; err != nil || len(w) != 1 || w[0].Name != text || w[0].Type != "slack" || len(w[0].Tags) != 1 || w[0].Tags[0] != text {
			t.Errorf("%q is written as\n%s%v, read as %q", text, out, err, w)
		}
	}
}
