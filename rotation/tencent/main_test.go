package tencent_test

import (
	"testing"

	"github.com/relock-project/relock/rotation/tencent/tencentsim/sdkcache"
)

func TestMain(m *testing.M) {
	sdkcache.Fill()
	m.Run()
}
