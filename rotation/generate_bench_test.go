package rotation_test

import (
	"fmt"
	"testing"

	"github.com/relock-project/relock/rotation"
)

func BenchmarkGenerate(b *testing.B) {
	for _, c := range []struct {
		name  string
		rules *rotation.Rules
	}{
		{"TencentLinux", rotation.TencentLinux()},
		{"HuaweiWindows", rotation.HuaweiWindows()},
	} {
		for _, length := range []int{12, 24, c.rules.MaxLength} {
			g, err := c.rules.Plan(rotation.Recipe{Length: length})
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%s/%d", c.name, length), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := g.Generate(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkPlan is the exact count, once per rotation.
func BenchmarkPlan(b *testing.B) {
	for _, r := range []*rotation.Rules{rotation.TencentLinux(), rotation.HuaweiWindows()} {
		b.Run(r.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Plan(rotation.Recipe{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
