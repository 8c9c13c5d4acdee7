package send

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
)

// answers are usual and hostile ones of so many bytes.
func answers(size int) map[string]string {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, size*3/4)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	texts := map[string]string{
		"JSON": `{"ok":true,"id":"b2f1c7e0-3c1d-4a51-9a55-0d6f0e1c2a11","status":"accepted"},`,
		"page": `<tr><td class="w-100 &amp;c">The page <a href="/a/b?x=1%202">you asked for</a> was moved.</td></tr>` + "\n",
		"dump": "00000000  41 42 43 44 41 42 43 44  41 42 43 44 41 42 43 44  |ABCDABCDABCDABCD|\n",
		// Each phase of these is text again.
		"letters": "V", "fives": "5", "lines": "\n", "quotes": `"`, "backslashes": `\`, "numbers": "99,", "equals": "=?",
		"escapes": `\u0026#x25;41%26%5c`, "entities": "&amp;", "nested": "&amp;#x26;amp;", "words": "=?utf-8?q?=41?=", "far": "&amp;" + strings.Repeat("x y ", 100),
	}
	for name, text := range texts {
		texts[name] = strings.Repeat(text, size/len(text)+1)[:size]
	}
	encode := base64.StdEncoding.EncodeToString
	texts["noise"], texts["base64"], texts["base64 twice"] = string(noise), encode(noise), encode([]byte(encode(noise[:len(noise)*3/4])))
	return texts
}

var usualSecrets = []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "Bearer tok.abcdef-0123456789", "x9QkAbCdEfGhIjKlMnOpQrSt", "data"}

// TestLookingForSecretsTakesLinearTime: however hostile an answer is, no more
// than some times its bytes are looked at.
func TestLookingForSecretsTakesLinearTime(t *testing.T) {
	looked := func(text string) int {
		f := &search{secrets: newSecrets(usualSecrets)}
		f.scan(view{text: []byte(text), cut: true})
		return f.looked
	}
	const size = 16 << 10
	long := answers(4 * size)
	for name, text := range answers(size) {
		once, fourfold := looked(text), looked(long[name])
		t.Logf("%-12s %5.1f times", name, float64(fourfold)/float64(4*size))
		if once > 60*size || fourfold > 5*once {
			t.Errorf("%s: of %d bytes %d are looked at, of four times as many %d", name, size, once, fourfold)
		}
	}
}

// BenchmarkRedact: the cost of the search for secrets in answers.
func BenchmarkRedact(b *testing.B) {
	texts := answers(maxBody)
	texts["ok"], texts["short JSON"], texts["signature"] = "ok", texts["JSON"][:77], "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="
	for name, text := range texts {
		b.Run(name, func(b *testing.B) {
			red := newRedactor(usualSecrets)
			raw := []byte(text)
			b.ReportAllocs()
			for b.Loop() {
				red.body(raw, false)
			}
		})
	}
}
