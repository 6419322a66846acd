Æ’´òÌ˜É¸ÓŽ¸


:authorityshop.example

:path/upload

:methodPOST

:schemehttp


user-agentprobe/1

x-forwarded-protohttp
4
x-request-id$080203ec-c215-4269-8f1e-012e8b89bdc1’´òÌ˜É¸ÓŽ
first,’´òÌ˜É¸ÓŽ	
second,’´òÌ˜É¸ÓŽ
third
!’´òÌ˜É¸ÓŽ"


x-checksum7f3a{’´òÌ˜É¸ÓŽ*n

:status200

content-type
text/plain

transfer-encodingchunked
"
x-envoy-upstream-service-time0’´òÌ˜É¸ÓŽ2
one ’´òÌ˜É¸ÓŽ2
two ’´òÌ˜É¸ÓŽ2
three
’´òÌ˜É¸ÓŽ:


x-sum3