// Package sdkcache lets tests call Tencent's SDK inside and outside of synctest bubbles in one process.
package sdkcache

import (
	"reflect"
	"strings"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common/json"
	cvm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/cvm/v20170312"
	ssm "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/ssm/v20190923"
	tag "github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/tag/v20180813"
)

// Fill makes the SDK's encoder of every request of the three APIs, once and outside of any bubble: to be called by TestMain.
//
// The SDK keeps an encoder for each type, and one that two goroutines ask for at the same time waits on a sync.WaitGroup
// for as long as the process lives. Made in a bubble, that WaitGroup belongs to the bubble, and a Wait outside of one
// crashes the runtime (Go 1.26: internal/synctest.isAssociated reads the bubble of a goroutine that has none).
func Fill() {
	for _, api := range []reflect.Type{reflect.TypeFor[*cvm.Client](), reflect.TypeFor[*ssm.Client](), reflect.TypeFor[*tag.Client]()} {
		for i := range api.NumMethod() {
			call := api.Method(i).Type
			if call.NumIn() != 2 || call.In(1).Kind() != reflect.Pointer || !strings.HasSuffix(call.In(1).Elem().Name(), "Request") {
				continue
			}
			if _, err := json.Marshal(reflect.New(call.In(1).Elem()).Interface()); err != nil {
				panic(err)
			}
		}
	}
}
