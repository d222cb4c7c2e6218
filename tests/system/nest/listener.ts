// Listens to topic `order` as a program of somebody else would, and prints each message as one line of JSON.
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, KafkaContext, MessagePattern, MicroserviceOptions, Transport } from '@nestjs/microservices';
import { Log, brokers, print, run } from './kafka';

@Controller()
class Listener {
  // The cafe asks for no reply, so nothing is sent back although this is no `@EventPattern`.
  @MessagePattern('order')
  hear(@Ctx() context: KafkaContext): void {
    // By now Nest has made text of the key and the headers, and an object of a value that is JSON. `@Payload()` would give
    // the value too, but for a message without one, where it gives the whole message.
    const { offset, key, headers, value } = context.getMessage();
    print({ topic: context.getTopic(), partition: context.getPartition(), offset, key, headers, value });
  }
}

@Module({ controllers: [Listener] })
class App {}

run(async () => {
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(App, {
    logger: new Log(),
    transport: Transport.KAFKA,
    options: {
      // Nest appends this to the client id and to the group: `my-cafe-nest`, `cafe-payment-nest`.
      postfixId: '-nest',
      client: { clientId: 'my-cafe', brokers: brokers() },
      consumer: { groupId: 'cafe-payment' },
      subscribe: { fromBeginning: true },
    },
  });
  await app.listen();
});
